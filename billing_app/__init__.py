"""The application: what residents and operators can do with bills and payments."""
