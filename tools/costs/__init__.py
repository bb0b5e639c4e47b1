"""What a month of the service costs: unit prices, a usage model, and their product."""
