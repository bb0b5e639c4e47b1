"""The operators' edge: their operations as events, their files of bills, and `billing-admin`."""
