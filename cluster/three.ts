/** One value for each of the three groups of a pool, in the order 0, 1, 2. Two or four do not compile. */
export type Three<T> = readonly [T, T, T];

/** The index of a group in its pool. */
export type GroupIndex = 0 | 1 | 2;

/** Three values, each made from one of three. A list's own `map` forgets how many there are. */
export const mapThree = <T, U>([first, second, third]: Three<T>, make: (each: T) => U): Three<U> => [
  make(first),
  make(second),
  make(third),
];

export const GROUP_INDEXES: Three<GroupIndex> = [0, 1, 2];
