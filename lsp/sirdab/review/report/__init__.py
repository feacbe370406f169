"""What is told of a review: as text, as JSON and as SARIF."""
