import { AnswerError, isOfUnknownToken, NoLeaderError, PermissionError, type Subject } from "./errors.js";
import { isLeaderless } from "./failure.js";

/**
 * The error for an answer that says no.
 * @param text one line, cut, without the token
 */
export function refusalOf(
  subject: Subject,
  status: number,
  text: string,
  permission: string | undefined,
): AnswerError {
  if (status === 403 || isOfUnknownToken(text)) return new PermissionError(subject, status, text, permission);
  if (isLeaderless(text)) return new NoLeaderError(subject, status, text);
  return new AnswerError(subject, status, text);
}
