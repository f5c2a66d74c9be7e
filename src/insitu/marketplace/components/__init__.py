"""What can be seen: a folder for each thing, with ``template.html``, its states, and ``element.ts`` if it acts."""
