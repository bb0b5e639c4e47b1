"""The service on one machine under every fault at once, and a judge of what it then said."""
