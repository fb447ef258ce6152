"""An alert becomes a message and reaches its channels."""
