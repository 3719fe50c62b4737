"""The link to a Redis or Valkey."""
