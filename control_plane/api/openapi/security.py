"""How generated clients may say who they are; both versions say it alike. Source: v1.35."""

from typing import Final

SECURITY: Final = {
    "BearerToken": {
        "type": "apiKey",
        "name": "authorization",
        "in": "header",
        "description": "Bearer Token authentication",
    }
}
