"""What the model sees beyond the file: definitions, similar code and recent edits."""
