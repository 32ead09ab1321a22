"""What an operator runs beside the server: one file per verb."""
