/** `1.2 s` */
export const formatSeconds = (seconds: number): string => `${seconds.toFixed(1)} s`;
