"""What is answered at each address. A view reads the request, calls actions and storage in a thread, and renders."""
