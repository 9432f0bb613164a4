/** One value for each of the three groups of a pool, in the order 0, 1, 2. Two or four do not compile. */
export type Three<T> = readonly [T, T, T];

/** The index of a group in its pool. */
export type GroupIndex = 0 | 1 | 2;

export const GROUP_INDEXES: Three<GroupIndex> = [0, 1, 2];
