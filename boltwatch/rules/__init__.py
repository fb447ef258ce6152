"""An expression becomes a compiled rule; a rule meets an article."""
