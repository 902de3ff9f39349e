"""Users, roles, grants, and the rights that a run needs."""
