"""One module for each part of the command."""
