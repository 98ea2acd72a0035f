"""The pages' words in Chinese."""

CHINESE = {"Log in": "登录"}
"""English words to Chinese ones."""
