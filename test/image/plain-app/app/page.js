export const dynamic = 'force-dynamic';

export default function Page() {
  return <p>The database is {process.env.DATABASE_URL?.replace(/:[^:@]*@/, ':…@')}</p>;
}
