import { afterAll, beforeAll } from "@jest/globals";

/** Lets AWS's SDK, which reads the process's own environment, see these variables in this test file. */
export function withEnvironment(variables: () => Readonly<Record<string, string>>): void {
  const before = { ...process.env };
  beforeAll(() => {
    Object.assign(process.env, variables());
  });
  afterAll(() => {
    for (const name of Object.keys(variables())) {
      const value = before[name];
      if (value === undefined) Reflect.deleteProperty(process.env, name);
      else process.env[name] = value;
    }
  });
}
