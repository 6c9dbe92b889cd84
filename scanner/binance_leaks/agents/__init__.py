"""The hooks of coding agents: what they send, and how they are answered. Nothing here searches for credentials."""
