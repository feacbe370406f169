"""What may be sent, where to, and what is shown: the rules of privacy and safety."""
