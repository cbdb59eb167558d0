import { Column, Entity, PrimaryColumn, Unique } from 'typeorm';

/**
 * Working state, not a projection: a user's name is personal, so it stays out of the log, which is never forgotten. The
 * row goes with the user.
 */
@Entity({ name: 'user_profiles' })
@Unique('user_profiles_name', ['tenant', 'name'])
export class UserProfile {
  @PrimaryColumn('text') tenant!: string;
  @PrimaryColumn('text') user_id!: string;
  @Column('text') name!: string;
}
