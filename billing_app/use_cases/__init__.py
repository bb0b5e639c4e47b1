"""One module per thing that a resident, an operator or the schedule can do."""
