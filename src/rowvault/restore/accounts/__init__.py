"""Users, roles and grants of a restore."""
