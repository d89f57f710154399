/** Does work with a file that is open; closes it where that fails. */
export function closingOnError<T>(close: () => void, work: () => T): T {
  try {
    return work();
  } catch (error) {
    close();
    throw error;
  }
}
