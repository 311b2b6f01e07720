"""Images, videos and transcripts on any chip: operators counted, seconds predicted, calibrated."""
