"""What the use cases need of the world, as protocols that adapters and fakes fulfil."""
