"""The Lambda edge: from an event to one call of a use case, and from its outcome to a reply."""
