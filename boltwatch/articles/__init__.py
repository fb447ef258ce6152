"""A page becomes blocks, blocks become an article."""
