"""The OpenAPI document, made once in each test process: that takes half a second of work."""

from app.main import create_app
from app.settings import Settings

DOCUMENT = create_app(Settings(database_url="postgresql://described.invalid/none")).openapi()
