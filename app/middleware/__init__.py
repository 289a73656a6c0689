"""ASGI middleware in front of the routes; `app.main` puts one before the other."""
