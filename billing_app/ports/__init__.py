"""What the use cases need from outside, as protocols that adapters and fakes implement."""
