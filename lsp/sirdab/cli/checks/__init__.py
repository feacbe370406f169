"""What `sirdab doctor` looks at: one module for each subject, each with its rows and its facts."""
