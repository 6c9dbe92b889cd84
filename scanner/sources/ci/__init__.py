"""What a CI system says of the change that it runs for: which commits, and what they are compared with."""
