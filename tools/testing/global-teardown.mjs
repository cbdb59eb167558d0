export default async function stopSharedPostgres() {
  await globalThis.mledgerTestPostgres?.stop();
}
