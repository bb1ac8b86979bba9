import { rm } from 'node:fs/promises';
import { PGlite } from '@electric-sql/pglite';
import { vector } from '@electric-sql/pglite-pgvector';
import type { SparseVector } from '@/lib/embedding-client';
import { lockDirectory } from './lock';
import type { Language } from './types';

/** Above every token id: bge-m3 has 250,002 of them. The size of a sparse vector costs nothing. */
const TOKENS = 1 << 20;

export interface StoredPassage {
  id: string;
  article: string;
  title: string;
  language: Language;
  category: string;
  body: string;
}

export interface NewPassage extends StoredPassage {
  hash: string;
  dense: number[];
  lexical: SparseVector | null;
}

export interface ScoredPassage extends StoredPassage {
  /** Higher is better. */
  score: number;
}

/** pgvector's notation of a sparse vector; its indices begin at 1. */
export function sparseLiteral(weights: SparseVector): string {
  const entries = Object.entries(weights).map(([token, weight]) => `${Number(token) + 1}:${weight}`);
  return `{${entries.join(',')}}/${TOKENS}`;
}

/**
 * The passages with their vectors, in a PostgreSQL with pgvector that runs inside this process and keeps its
 * files in a folder. The SQL is that of any other PostgreSQL.
 *
 * Every search compares with all vectors, which is exact and takes 1 to 5 ms for 300 of 384 dimensions. Where
 * that becomes too slow: CREATE INDEX ON passages USING hnsw (embedding vector_cosine_ops).
 */
export class Store {
  private constructor(private readonly database: PGlite) {}

  static async open(directory: string): Promise<Store> {
    await lockDirectory(directory);
    const open = async () => {
      const database = await PGlite.create(directory, { extensions: { vector } });
      await database.exec(
        'CREATE EXTENSION IF NOT EXISTS vector; CREATE TABLE IF NOT EXISTS model (identity text NOT NULL)',
      );
      return new Store(database);
    };
    try {
      return await open();
    } catch (error) {
      // All that is in it can be computed again: files of another version, or cut off by a crash, are no loss.
      console.warn(`[index] ${directory} cannot be read (${String(error)}); it is made anew`);
      await rm(directory, { recursive: true, force: true });
      return open();
    }
  }

  async close(): Promise<void> {
    await this.database.close();
  }

  /** Of which model the vectors are; null if there are none yet. */
  async identity(): Promise<string | null> {
    const { rows } = await this.database.query<{ identity: string }>('SELECT identity FROM model');
    return rows[0]?.identity ?? null;
  }

  /** Drops all passages, and makes room for vectors of another model. */
  async reset(identity: string, dimension: number): Promise<void> {
    await this.database.transaction(async (transaction) => {
      await transaction.exec(`
        DELETE FROM model;
        DROP TABLE IF EXISTS passages;
        CREATE TABLE passages (
          id text PRIMARY KEY,
          article text NOT NULL,
          title text NOT NULL,
          language text NOT NULL,
          category text NOT NULL,
          body text NOT NULL,
          hash text NOT NULL,
          embedding vector(${dimension}) NOT NULL,
          lexical sparsevec(${TOKENS})
        );`);
      await transaction.query('INSERT INTO model VALUES ($1)', [identity]);
    });
  }

  /** The hash of each passage by its id. */
  async hashes(): Promise<Map<string, string>> {
    const { rows } = await this.database.query<{ id: string; hash: string }>('SELECT id, hash FROM passages');
    return new Map(rows.map(({ id, hash }) => [id, hash]));
  }

  async remove(ids: readonly string[]): Promise<void> {
    await this.database.query('DELETE FROM passages WHERE id = ANY($1)', [ids]);
  }

  /** All or none. */
  async add(passages: readonly NewPassage[]): Promise<void> {
    await this.database.transaction(async (transaction) => {
      for (const { id, article, title, language, category, body, hash, dense, lexical } of passages) {
        await transaction.query('INSERT INTO passages VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)', [
          ...[id, article, title, language, category, body, hash],
          JSON.stringify(dense),
          lexical && sparseLiteral(lexical),
        ]);
      }
    });
  }

  /** By the cosine of vectors. `language` null: of all. */
  async nearest(dense: readonly number[], language: Language | null, limit: number): Promise<ScoredPassage[]> {
    const { rows } = await this.database.query<ScoredPassage>(
      `SELECT id, article, title, language, category, body, 1 - (embedding <=> $1) AS score
       FROM passages WHERE $2::text IS NULL OR language = $2
       ORDER BY embedding <=> $1 LIMIT $3`,
      [JSON.stringify(dense), language, limit],
    );
    return rows;
  }

  /** By the weights of tokens that the query and the passage have in common; only those with any. */
  async matching(lexical: SparseVector, language: Language | null, limit: number): Promise<ScoredPassage[]> {
    // pgvector's <#> is the inner product's negative, so that the best come first.
    const { rows } = await this.database.query<ScoredPassage>(
      `SELECT id, article, title, language, category, body, -(lexical <#> $1) AS score
       FROM passages WHERE lexical <#> $1 < 0 AND ($2::text IS NULL OR language = $2)
       ORDER BY lexical <#> $1 LIMIT $3`,
      [sparseLiteral(lexical), language, limit],
    );
    return rows;
  }
}
