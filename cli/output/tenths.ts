/** `1.2 s` */
export const tenths = (seconds: number): string => `${seconds.toFixed(1)} s`;
