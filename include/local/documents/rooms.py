def rooms_picture(): return ""
