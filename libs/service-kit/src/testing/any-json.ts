/** What an API answers, of whatever shape: each expectation names the fields that it needs, and fails where they are not. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- the one place: a test that parsed answers by a schema would test the schema
export type AnyJson = any;
