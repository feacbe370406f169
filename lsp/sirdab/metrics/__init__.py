"""What becomes of suggestions, counted on this machine for its user and never sent anywhere."""
