"""Plain Python: bills, debts, payments, history and the catalogue of errors."""
