"""What each phase learns from: pictures changed and balanced, or kept features of them."""
