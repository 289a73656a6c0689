"""What stands before the routes, in pure ASGI: `app.main` puts one before the other."""
