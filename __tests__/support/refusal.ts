/** The kind and the message with which something was refused. */
export async function refusal(action: Promise<unknown>): Promise<{ kind: string; message: string }> {
  try {
    await action;
  } catch (error) {
    if (typeof error === "object" && error !== null && "kind" in error && "message" in error)
      return { kind: String(error.kind), message: String(error.message) };
    throw error;
  }
  throw new Error("it was not refused");
}

/** The message with which something failed. */
export async function failure(action: Promise<unknown>): Promise<string> {
  try {
    await action;
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error("it did not fail");
}
