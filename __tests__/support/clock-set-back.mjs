// Loaded into a Node process whose clock somebody sets back by an hour: from the moment on at which the file exists that
// ROLLOUT_TEST_SET_BACK names.
import { existsSync } from "node:fs";

const file = process.env.ROLLOUT_TEST_SET_BACK;
const now = Date.now.bind(Date);
const HOUR = 3_600_000;

const setBack = () => now() - (file !== undefined && existsSync(file) ? HOUR : 0);

globalThis.Date = class extends Date {
  constructor(...args) {
    if (args.length === 0) super(setBack());
    else super(...args);
  }

  static now() {
    return setBack();
  }
};
