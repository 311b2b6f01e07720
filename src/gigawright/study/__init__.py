"""What the user says: the study, its fields with units, and how it is read from a file."""
