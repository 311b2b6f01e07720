"""What the world says: facts with source, date, range and confidence, resolved against a study."""
