"""The network, politely: bytes in, entries out, and when to look again."""
