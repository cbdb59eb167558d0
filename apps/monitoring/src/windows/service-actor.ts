/** Who records what follows from data alone. */
export const SERVICE_ACTOR = 'service:monitoring';
