"""Informers kept for long under churn: what they hold must be what a fresh list has."""
