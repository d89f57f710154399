/** Something about a file that changes what is trained and is no error, with how often it was so. */
export interface Note {
  file: string;
  text: string;
  count: number;
}

/** Counts what is to be told, once for each file. */
export class Notes {
  private readonly notes = new Map<string, Note>();

  constructor(notes: readonly Note[] = []) {
    for (const note of notes) this.add(note.file, note.text, note.count);
  }

  add(file: string, text: string, count = 1): void {
    const key = `${file}\0${text}`;
    const known = this.notes.get(key);
    if (known) known.count += count;
    else this.notes.set(key, { file, text, count });
  }

  list(): Note[] {
    return [...this.notes.values()];
  }
}
