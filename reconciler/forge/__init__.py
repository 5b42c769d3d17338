"""Where a plan becomes a pull request."""
