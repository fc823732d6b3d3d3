"""Whole screens: the dashboard, and what opens over it. All but the dashboard are imported when first opened."""
