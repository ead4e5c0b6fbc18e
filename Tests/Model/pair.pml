/* The pair protocol of Twinline, as Sources/Replication has it: two nodes A and B, their witness, and what can happen to
   them. Rules are those of the design, R1 to R12; each is named where it is kept. `Tests/Model/check` runs it all.

   One step is one action of one party: a message is received, a sync is done, an answer of the witness is learned, a
   process dies. Whatever takes time in between, others may act. So messages between the nodes, what is asked of the
   witness and its answers all arrive late, or never: a node stops waiting whenever it likes, and takes the other for
   lost whenever it likes, since safety must not hang on time.

   What is checked, at each step:
     LOST    whoever serves in the newest epoch has in its log all that was ever answered
     STALE   a read shows all that was answered before it was asked
     ONE     no two nodes lead one epoch
     TWO     two nodes never lead without needing each other
     MATCH   where the epochs of two logs agree, the entries do
     UNDO    a log is never cut below what its database holds
     STATUS  who says that a failover is possible is right: the register says so, and the standby holds its floor
   and, with -DLIVENESS,
     serves_again  after the last false alarm and crash the pair is paired and promises a failover; or, if A, B or the
                   witness was lost for good while a failover was promised, somebody serves. Hand-overs are not in it. It is checked without fairness, hence holds with it:
                   at these bounds every run ends. The bounds are asserted not to be reached.
   After a forced act (-DFORCE) LOST, STALE, TWO and STATUS are not claimed until the other node follows again; then
   what counts as answered is what its primary has committed.

   Taken as one step, though more in the program:
     - a hello and what follows from it. A late one is the same as a late step: it says how things stood.
     - a node's reading the register, and its asking for a change at the version read. A change of the register makes
       every other request come too late, and a node that goes by an older version loses: so versions need no number.
       A node's memory of the register's epoch is left out (Replica+Standby.swift joins nobody older).
     - receiving the acceptance of a join and cutting the log; adopting an epoch on disk and sending the join in it.
     - saving the number of a claim, or another witness, and using it.
     - committing and answering, once an ack or a sync allows it, and committing in the database: `com` is both.
   Left out: snapshots for reseeding (a wiped node takes the log instead), full and stalled disks except for a hand-over
   that does not drain, flapping, chain values, lost frames in a session that goes on, more than one open batch (the
   engine has one). A disk put back while the other node is down or unreachable
   is, as the design says, only told by its starts and by the floor; otherwise it is assumed to meet the other first.

   Found by it, and mended: a node that had won its claim died before that was on its disk, died again with a second
   claim on its way, came back to the old primary, which had heard of neither, and cut its log's mark; then that claim
   arrived, whose floor was that mark, and nobody could claim any more. A node joins nobody now whose epoch is below that
   of its own log's end; -DNO_R10_MARK leaves that out (-DLIVENESS -DMAXCRASH=2 -DMAXBREAK=2).

   Events, each with a finished search of its own: WIPE, PUTBACK (OLDCOPY: to a copy two starts old), ADOPTION (of an
   empty witness while the old one lives on), FORCE, REBOOT (of the witness's machine, its record then an older one; nodes
   know of the register what they last read, versions are numbers up to MAXVERSION, and STATUS is not claimed after it).
   Bounds: MAXLOG entries and marks, MAXENTRIES of clients, MAXEPOCH, MAXCRASH crashes of A and B together, MAXJOIN
   sessions with the first, MAXREAD reads of which READS at once, SWITCHES hand-overs, SLOTS messages each way (two may
   overtake each other, as over two routes), NEARLY (a solo primary's standby that lacks more catches up first);
   with LIVENESS also MAXBREAK false alarms.
   Rules left out: NO_R1 … NO_R12_START; `check` says what each leaves out and what breaks then.

     spin -a pair.pml && gcc -O2 -DSAFETY -DNOFAIR -o pan pan.c && ./pan -E -m100000 -w25
     spin -B -t -k pair.pml.trail pair.pml        # what happened, in words
   For shortest trails: spin -a -DSHORTEST, gcc -DBFS. For liveness: spin -a -DLIVENESS, no -DSAFETY, ./pan -a. */

/* ---- bounds ---- */
#ifndef MAXLOG
#define MAXLOG 3
#endif
#ifndef MAXENTRIES
#define MAXENTRIES 2
#endif
#ifndef MAXEPOCH
#define MAXEPOCH 4
#endif
#ifndef MAXCRASH
#define MAXCRASH 2
#endif
#ifndef MAXJOIN
#define MAXJOIN 2
#endif
#ifndef MAXREAD
#define MAXREAD 1
#endif
#ifndef READS
#define READS 1
#endif
#ifndef SLOTS
#define SLOTS 1
#endif
#ifndef SWITCHES
#define SWITCHES 1
#endif
#ifndef NEARLY
#define NEARLY 0
#endif
#if defined(WIPE) || defined(PUTBACK) || defined(FORCE)
#define DISKS
#endif

#ifdef LIVENESS
#undef MAXLOG
#undef MAXENTRIES
#undef MAXEPOCH
#undef MAXJOIN
#undef MAXREAD
#undef SWITCHES
#define MAXLOG 7        /* none of these is ever reached: asserted below */
#define MAXENTRIES 1
#define MAXEPOCH 15
#define MAXJOIN 7
#define MAXREAD 0
#define SWITCHES 0
#ifndef MAXBREAK
#define MAXBREAK 1
#endif
#endif

#ifndef MAXVERSION      /* with REBOOT */
#define MAXVERSION 5
#endif

/* ---- words ---- */

/* A node's role, and what it does while it doesn't lead (Role.swift). A fenced one is IDLE. */
#define DOWN     0
#define IDLE     1
#define FETCHING 2
#define JOINING  3
#define FOLLOW   4
#define CLAIM    5
#define PRIMARY  6

/* What is asked of the witness; or CLAIM */
#define SOLO    1
#define PAIRED  2
#define INSTALL 3       /* a register that says solo */
#define INSTALL_PAIRED 4

/* Messages (Message.swift) */
#define JOIN     1
#define ACCEPT   2
#define REFUSE   3
#define APPEND   4
#define ACK      5
#define ROUND    6
#define CONFIRM  7
#define HANDOVER 8
#define FETCH    9
#define LENT     10
#define ADOPT    11
#define ADOPTED  12

/* An entry is its epoch times 8 and its name: a client's is 1 to 7, an epoch's mark is 0. */
#define EPOCHOF(entry_) ((entry_)>>3)
#define NAMEOF(entry_) ((entry_)&7)
/* A position is its entry's epoch times 8 and the LSN; before the first entry it is 0. */

typedef Node {
  unsigned st : 3;
  /* on disk: */
  unsigned dep : 4;                                   /* the epoch */
  unsigned cl : 4;                                    /* the highest number ever claimed */
  unsigned did : 3;                                   /* the disk's id */
  bit wit;                                            /* the witness it goes by */
  byte e[MAXLOG];                                     /* the log; up to `ln` in memory, up to `syn` on disk */
  unsigned ln : 3; unsigned syn : 3; unsigned com : 3;  /* appended, synced, committed and applied */
#ifdef DISKS
  unsigned starts : 3;
#endif
#ifdef NO_R6_SYNC
  unsigned real : 3;                                  /* what a power cut leaves, whatever the node believes */
#endif
  /* in memory: */
  unsigned ep : 4;
  unsigned ses : 6;                                   /* session; 0: none */
  /* a primary's: */
  bit need; bit srv; bit forced;                      /* needs its standby; serves; leads by force */
  bit fol; bit cat; bit set;                          /* its standby follows; catches up; a failover is promised */
  unsigned ack : 3; unsigned lev : 3; unsigned nx : 3; /* acknowledged; to be level at; entries shipped */
  unsigned sd : 3; bit sw;                            /* the standby's disk and witness */
  unsigned hand : 2;                                  /* hand-over: 1 draining, 2 asked */
  unsigned sent : 3; unsigned conf : 3; unsigned want : 3;  /* rounds */
#ifdef DISKS
  unsigned had : 3; unsigned hadd : 3;                /* most that a disk acknowledged in this epoch, and which */
  unsigned ss : 3;                                    /* the standby's starts */
  unsigned heard : 2;                                 /* of the other, not leading: 1 not further, 2 further */
#endif
#ifdef ADOPTION
  bit adopts;                                         /* it moves the register */
#endif
  /* its question to the witness: */
  unsigned ask : 3; bit stale; bit won }
Node N[2];

#if MAXLOG>4
#define TABLE 28
#else
#define TABLE 16
#endif
typedef Message { unsigned k : 4; unsigned e : 4; unsigned s : 6; unsigned x : 4; unsigned y : TABLE; unsigned z : 4;
#if defined(DISKS) || defined(ADOPTION)
  unsigned d : 3; unsigned v : 3; unsigned w : 1; unsigned u : 3
#endif
}
Message M[2*SLOTS];                                   /* on the way to A, to B */

typedef Register { unsigned e : 4; bit p; bit paired; byte floor;
#ifdef REBOOT
  unsigned v : 4;
#endif
  unsigned d0 : 3; unsigned d1 : 3;
#ifdef DISKS
  unsigned s0 : 3; unsigned s1 : 3;
#endif
#ifdef ADOPTION
  bit there
#endif
}
#ifdef ADOPTION
Register G[2];
#define WIT(n_) N[n_].wit
#else
Register G[1];
#define WIT(n_) 0
#endif
#ifdef REBOOT
Register K[2];                                        /* as each node last learned it; on its disk */
Register F;                                           /* as it lay on the witness's disk some time ago */
bit kept; bit rebooted; bit cautious; bit testified[2];
byte consent[2];                                     /* the round that will show a standby's consent */
#define KNOWN(n_) K[n_]
#define TRUSTED (!rebooted)                           /* nobody knows at once what a witness has lost */
#else
#define KNOWN(n_) G[WIT(n_)]
#define TRUSTED 1
#endif
#define REG KNOWN(n)

/* On the way to the witness, at the register's version: a change makes all others come too late, and they are removed. */
typedef Request { bit used; bit live; bit who; bit w;
#ifdef REBOOT
  unsigned v : 4;
#endif
  unsigned kind : 3; unsigned e : 4; byte floor; unsigned d0 : 3; unsigned d1 : 3;
#ifdef DISKS
  unsigned s0 : 3; unsigned s1 : 3
#endif
}
Request R[2];

typedef Read { bit on; bit who; unsigned round : 3; byte need }
Read D[READS];

byte acked;                                           /* client entries that were answered, a bit each */
unsigned nid : 3 = 1; unsigned crashes : 3; unsigned joins : 3; unsigned reads : 3; unsigned switches : 2;
byte life[2];
#ifdef DISKS
bit events; bit blank[2]; bit putback[2];
bit alone[2];                                         /* put back, and has not met the other node since */
#endif
#ifdef PUTBACK
typedef Copy { bit taken; bit whose; byte e[MAXLOG]; unsigned ln : 3; unsigned com : 3; unsigned dep : 4; unsigned cl : 4; unsigned did : 3; unsigned starts : 3 }
Copy C;
#endif
#ifdef FORCE
bit forced; bit everforced;
#define CLAIMED (!forced)
#define AFTERFORCE everforced
#else
#define CLAIMED 1
#define AFTERFORCE 0
#endif
#ifdef ADOPTION
bit adoptions;
#endif

/* scratch: 0 again after each step */
#ifdef SHORTEST         /* Spin's breadth-first search knows no hidden variables */
#define SCRATCH byte
int y;
#else
#define SCRATCH hidden byte
hidden int y;
#endif
SCRATCH c, i, j, m, b; SCRATCH k, e, s, x, z, d, v, u, w;

#define ME N[n]
#define O  (1-n)
#define PEER N[1-n]
#define FREE(to) (M[(to)*SLOTS].k==0 || M[(to)*SLOTS+SLOTS-1].k==0)
#define HAS(to,kk) (M[(to)*SLOTS].k==kk || M[(to)*SLOTS+SLOTS-1].k==kk)
#define LASTEPOCH(n_) (N[n_].ln==0 -> 0 : EPOCHOF(N[n_].e[N[n_].ln-1]))
#define POSITION(n_,l_) ((l_)==0 -> 0 : ((N[n_].e[(l_)-1] & 248) | (l_)))
#define ATLEAST(floor_) (floor_==0 || (ME.syn>0 && floor_<=((ME.e[ME.syn-1] & 248) | ME.syn)))
#define MIN(a_,b_) (a_<b_ -> a_ : b_)
#define MAX(a_,b_) (a_>b_ -> a_ : b_)
#define SAY(text_) printf(text_, 65+n);

/* ---- the switches: each leaves out a rule, or half of one ---- */
#ifdef NO_R7_OWN
#define OWN(n_,above_) (above_+1)
#else
#define OWN(n_,above_) ((((above_)+1)&1)==(1-n_) -> above_+1 : above_+2)
#endif
#ifdef NO_R7_SAVED
#define SAVED(n_) 1
#else
#define SAVED(n_) (N[n_].dep==N[n_].ep)
#endif
#ifdef NO_R8_SESSION
#define INSESSION (e==ME.ep)
#else
#ifdef NO_R8_EPOCH
#define INSESSION (s==ME.ses)
#else
#define INSESSION (e==ME.ep && s==ME.ses)
#endif
#endif
#ifdef NO_R4_STOP
#define FOLLOWS (ME.st==FOLLOW || ME.st==CLAIM)
#define ROOM (ME.st==FOLLOW || x<MAXLOG-1)           /* a claimant's mark must fit */
#else
#define FOLLOWS (ME.st==FOLLOW)
#define ROOM 1
#endif
#ifdef NO_R9_STANDBY
#define CONFIRMS (ME.st!=DOWN)
#define ITSROUND 1
#else
#define CONFIRMS FOLLOWS
#define ITSROUND INSESSION
#endif
#ifdef NO_R9_ROUND
#define THISROUND 1
#else
#define THISROUND (x==ME.sent && x>ME.conf)
#endif
#ifdef NO_R9_CONFIRM
#define NEEDSROUND 0
#else
#define NEEDSROUND ME.need
#endif
#ifdef NO_R3_LEVEL
#define LEVEL 1
#else
#define LEVEL (ME.ack>=ME.lev)
#endif
#ifdef NO_R4_PAIRED
#define MAYCLAIM (REG.e==ME.ep)
#else
#ifdef NO_R4_EPOCH
#define MAYCLAIM REG.paired
#else
#define MAYCLAIM (REG.paired && REG.e==ME.ep)
#endif
#endif
#ifdef NO_R11_FLOOR
#define FLOORED 1
#else
#define FLOORED ATLEAST(REG.floor)
#endif
#ifdef NO_R11_ID
#define NEWDISK(n_) skip
#else
#define NEWDISK(n_) N[n_].did++
#endif
#define MYDISK ((n==0 && REG.d0==ME.did) || (n==1 && REG.d1==ME.did))
#ifdef PUTBACK
#ifdef NO_R6_ASK
#define ASKED 1
#else
/* What the design says can't be told without the other node: a disk put back, if register and floor don't show it. */
#define ASKED (!alone[n] || ME.heard==1 || !ATLEAST(REG.floor) || !STARTSKNOWN)
#endif
#define STARTSKNOWN ((n==0 && REG.s0<=ME.starts) || (n==1 && REG.s1<=ME.starts))
#ifdef NO_R11_STARTS
#define NOTPUTBACK 1
#else
#define NOTPUTBACK STARTSKNOWN
#endif
#else
#define ASKED 1
#define NOTPUTBACK 1
#endif
#ifdef FORCE
#define LACKS (ME.forced && SAVED(n) && (REG.e!=ME.ep || REG.p!=n) && ME.ep>=REG.e)
#else
#define LACKS 0
#endif
#ifdef ADOPTION
#define THERE REG.there
#define SAMEWITNESS (ME.sw==ME.wit)
#else
#define THERE 1
#define SAMEWITNESS 1
#endif
#define NAMED (REG.e==ME.ep && REG.p==n)
#ifdef REBOOT
#define CANASK (ME.ask==0 && K[n].v<MAXVERSION)
#else
#define CANASK (ME.ask==0 && REACHED && THERE)
#endif

/* ---- liveness: nobody is taken for lost for nothing, but for a few times, and one of the three may be lost for good ---- */
#define FOLLOWED(n_) (N[n_].fol && N[1-n_].st==FOLLOW && N[1-n_].ses==N[n_].ses)
#define SERVES(n_) (N[n_].st==PRIMARY && N[n_].srv && (!N[n_].need || FOLLOWED(n_)))
#define PROMISES(n_) (SERVES(n_) && FOLLOWED(n_) && N[n_].set && G[0].paired && G[0].e==N[n_].ep && G[0].p==n_)
#ifdef LIVENESS
unsigned gone : 2;                                    /* for good: 1 A, 2 B, 3 the witness */
unsigned breaks : 2;
#define HERE(n_) (gone!=n_+1)
#define REACHED (gone!=3)
#define WELL (gone==0 && (PROMISES(0) || PROMISES(1)))
#define STANDBYLOST (PEER.st==DOWN || PEER.ses!=ME.ses || (PEER.st!=JOINING && PEER.st!=FOLLOW))
#define PRIMARYLOST (PEER.st!=PRIMARY || (PEER.ses!=ME.ses && !(ME.st==JOINING && (HAS(O,JOIN) || HAS(n,ACCEPT)))))
#define SUSPECTS (PEER.st==DOWN || PEER.st!=PRIMARY)
#define ARRIVES(r_) (R[r_].used && R[r_].live && R[r_].who==n)
#define UNANSWERED (gone==3 || (!ME.won && !ARRIVES(0) && !ARRIVES(1)))
ltl serves_again { <>[] ((gone==0 && (PROMISES(0) || PROMISES(1))) || (gone!=0 && (SERVES(0) || SERVES(1)))) }
#else
#define HERE(n_) 1
#define REACHED 1
#define STANDBYLOST 1
#define PRIMARYLOST 1
#define SUSPECTS 1
#define UNANSWERED 1
#endif

#ifdef NO_R10_MARK
#define OWNLOG 1
#else
#define OWNLOG (ME.ln==0 || PEER.ep>=EPOCHOF(ME.e[ME.ln-1]))
#endif

/* ---- properties ---- */

/* The names in a log up to an LSN, as a set. */
inline names(n_, upto_) { m=0; i=0;
  do :: i<upto_ -> m = m | (1<<NAMEOF(N[n_].e[i])); i++ :: else -> break od; i=0; m = m & 254 }

/* Who serves holds all that was ever answered. */
inline holdsall(n_) { names(n_, N[n_].ln); assert(!CLAIMED || (acked & ~m)==0 /* LOST */); m=0 }

/* Two nodes never lead without needing each other. */
inline onlyone(n_) { assert(!CLAIMED || !(N[1-n_].st==PRIMARY && !N[1-n_].need) /* TWO */) }

/* One node per epoch commits. */
inline ownepoch(n_) { assert(!(N[1-n_].st==PRIMARY && N[1-n_].ep==N[n_].ep) /* ONE */) }

/* What says that a failover is possible is right. */
inline status(n_) {
  if :: CLAIMED && TRUSTED && N[n_].st==PRIMARY && N[n_].set && N[n_].hand==0 && N[1-n_].st==FOLLOW && N[1-n_].ses==N[n_].ses ->
       c=POSITION(1-n_,N[1-n_].syn); assert(G[WIT(n_)].paired && G[WIT(n_)].e==N[n_].ep && G[WIT(n_)].p==n_ && c>=G[WIT(n_)].floor /* STATUS */); c=0
  :: else fi }

/* ---- what nodes do ---- */

inline put(to_, k_, e_, s_, x_, y_, z_) {
  j = (to_)*SLOTS; if :: M[j].k!=0 -> j = j+SLOTS-1 :: else fi;
  M[j].k=k_; M[j].e=e_; M[j].s=s_; M[j].x=x_; M[j].y=y_; M[j].z=z_; j=0 }

inline take(r_) {
  k=M[r_].k; e=M[r_].e; s=M[r_].s; x=M[r_].x; y=M[r_].y; z=M[r_].z;
  M[r_].k=0; M[r_].e=0; M[r_].s=0; M[r_].x=0; M[r_].y=0; M[r_].z=0;
#if defined(DISKS) || defined(ADOPTION)
  d=M[r_].d; v=M[r_].v; w=M[r_].w; u=M[r_].u; M[r_].d=0; M[r_].v=0; M[r_].w=0; M[r_].u=0
#endif
}

/* The epochs of a log, four bits each: what an EpochTable tells. */
inline table(n_) {
  y=0; i=0; do :: i<N[n_].ln -> y = y | (EPOCHOF(N[n_].e[i])<<(4*i)); i++ :: else -> break od; i=0
}
/* c: how many entries this log has in common with the one of table y and end x. */
inline incommon(n_) {
  c=0; do :: c<N[n_].ln && c<x && EPOCHOF(N[n_].e[c])==((y>>(4*c)) & 15) -> c++ :: else -> break od }

inline cutlog(n_, to_) {
  i=to_; do :: i<N[n_].ln -> N[n_].e[i]=0; i++ :: else -> break od; i=0;
  N[n_].ln=to_; N[n_].syn=MIN(N[n_].syn,to_)
#ifdef NO_R6_SYNC
  ; N[n_].real=MIN(N[n_].real,to_)
#endif
}

inline endreads(n_) { i=0;
  do :: i<READS -> if :: D[i].on && D[i].who==n_ -> D[i].on=0; D[i].who=0; D[i].round=0; D[i].need=0 :: else fi; i++
     :: else -> break od; i=0 }

/* Reads whose round is confirmed see all that was answered before they came (R9). */
inline answer(n_) { names(n_, N[n_].com); i=0;
  do :: i<READS ->
       if :: D[i].on && D[i].who==n_ && D[i].round<=N[n_].conf ->
            assert(!CLAIMED || (D[i].need & ~m)==0 /* STALE */); D[i].on=0; D[i].who=0; D[i].round=0; D[i].need=0
       :: else fi; i++
  :: else -> break od; i=0; m=0 }

/* commitWhatMay: paired, what both disks have; solo, what this one has; and nothing before the epoch is on disk. */
inline commit(n_) {
  if :: N[n_].st==PRIMARY && SAVED(n_) ->
       c = (N[n_].need -> (N[n_].ses!=0 -> MIN(N[n_].syn,N[n_].ack) : 0) : N[n_].syn);
#ifdef NO_R5_SYNC
       if :: !N[n_].srv -> c=N[n_].ln :: else fi;
#endif
#ifdef NO_R5_MARK
       if :: !N[n_].srv && N[n_].syn==N[n_].ln -> N[n_].com=c; N[n_].srv=1; holdsall(n_); names(n_, c); acked = acked | m; m=0 :: else fi;
#endif
       if :: c>N[n_].com ->
            N[n_].com=c; ownepoch(n_);
            if :: !N[n_].srv && EPOCHOF(N[n_].e[c-1])==N[n_].ep -> N[n_].srv=1; holdsall(n_) :: else fi;
            if :: N[n_].srv -> names(n_, c); acked = acked | m; m=0;
                 if :: N[1-n_].st==PRIMARY && N[1-n_].srv && N[1-n_].ep>N[n_].ep -> holdsall(1-n_) :: else fi
            :: else fi
       :: else fi; c=0
  :: else fi }

inline sessionlost(n_) {
#ifdef REBOOT
  consent[n_]=0;
#endif
  N[n_].ses=0; N[n_].fol=0; N[n_].set=0; N[n_].cat=0; N[n_].hand=0; N[n_].ack=0; N[n_].lev=0; N[n_].nx=0; N[n_].sd=0; N[n_].sw=0;
#ifdef DISKS
  N[n_].ss=0;
#endif
  N[n_].sent=N[n_].conf; if :: N[n_].ask==PAIRED -> N[n_].stale=1 :: else fi }

/* It waits for no answer any more; the question may arrive all the same (R2). */
inline forget(n_) {
  N[n_].ask=0; N[n_].won=0; N[n_].stale=0;
#ifndef NO_R2_NUMBER
  if :: R[0].used && R[0].who==n_ -> R[0].live=0 :: else fi; if :: R[1].used && R[1].who==n_ -> R[1].live=0 :: else fi
#endif
}

inline resign(n_) {
  forget(n_); sessionlost(n_); N[n_].stale=0; N[n_].need=0; N[n_].srv=0; N[n_].sent=0; N[n_].conf=0; N[n_].want=0; endreads(n_);
  N[n_].forced=0;
#ifdef DISKS
  N[n_].had=0; N[n_].hadd=0; N[n_].heard=0;
#endif
#ifdef ADOPTION
  N[n_].adopts=0;
#endif
}

/* R8: outranked. */
inline fence(n_, e_) { resign(n_); N[n_].st=IDLE; N[n_].ep=e_ }

/* R3, first: every commit and every read needs the standby from here on. */
inline require(n_) {
  N[n_].cat=0; N[n_].lev=N[n_].com;
#ifndef NO_R3_REQUIRE
  N[n_].need=1;
#endif
  if :: N[n_].ask!=0 -> N[n_].stale=1 :: else fi }

/* R5: it counts the whole log as committed once that is on disk, the epoch's mark with it, and serves then. */
inline lead(n_, e_) {
  N[n_].st=PRIMARY; N[n_].ep=e_; N[n_].cl=MAX(N[n_].cl,e_); N[n_].need=0; N[n_].srv=0;
#ifdef NO_R5_WHOLE
  cutlog(n_, N[n_].com);
#endif
#ifdef NO_R5_MARK
  skip;
#else
  N[n_].e[N[n_].ln]=(e_)<<3; N[n_].ln++;
#endif
  ownepoch(n_); onlyone(n_);
#if defined(NO_R5_SYNC) || defined(NO_R7_SAVED)
  commit(n_)
#endif
}

inline request(n_, kind_, e_) {
  /* of two that float one never arrives */
  j = (R[0].used && (R[0].live || !R[1].used) -> 1 : 0);
  R[j].used=1; R[j].live=1; R[j].who=n_; R[j].w=WIT(n_); R[j].kind=kind_; R[j].e=e_;
  R[j].floor=(kind_==CLAIM -> POSITION(n_,N[n_].syn) : POSITION(n_,N[n_].com)); R[j].floor=MAX(R[j].floor,KNOWN(n_).floor);
#ifdef REBOOT
  R[j].v=K[n_].v;
#endif
  R[j].d0=KNOWN(n_).d0; R[j].d1=KNOWN(n_).d1;
  if :: n_==0 -> R[j].d0=N[0].did; if :: kind_!=CLAIM && kind_!=SOLO && N[0].ses!=0 -> R[j].d1=N[0].sd :: else fi
     :: else -> R[j].d1=N[1].did; if :: kind_!=CLAIM && kind_!=SOLO && N[1].ses!=0 -> R[j].d0=N[1].sd :: else fi fi;
#ifdef DISKS
  R[j].s0=KNOWN(n_).s0; R[j].s1=KNOWN(n_).s1;
  if :: n_==0 -> R[j].s0=N[0].starts; if :: kind_==PAIRED -> R[j].s1=N[0].ss :: else fi
     :: else -> R[j].s1=N[1].starts; if :: kind_==PAIRED -> R[j].s0=N[1].ss :: else fi fi;
#endif
  N[n_].ask=kind_; N[n_].stale=0; N[n_].won=0; j=0 }

inline clear(r_) {
  R[r_].used=0; R[r_].live=0; R[r_].who=0; R[r_].w=0; R[r_].kind=0; R[r_].e=0; R[r_].floor=0; R[r_].d0=0; R[r_].d1=0;
#ifdef REBOOT
  R[r_].v=0;
#endif
#ifdef DISKS
  R[r_].s0=0; R[r_].s1=0
#endif
}

#ifdef REBOOT
inline copy(to_, from_) { to_.v=from_.v; to_.e=from_.e; to_.p=from_.p; to_.paired=from_.paired; to_.floor=from_.floor; to_.d0=from_.d0; to_.d1=from_.d1 }
#define NEWER(r_) (r_.e>G[0].e || (r_.e==G[0].e && r_.v>G[0].v))
#ifdef NO_R12_TESTIMONY
#define CONSENTED 1
#else
#define CONSENTED (consent[n]!=0 && ME.conf>=consent[n])
#endif
#endif

/* The witness grants a change. Whatever else was asked at the version before comes too late. */
inline grant(r_) {
  printf("   the witness grants %c's request: epoch %d, asked for %d\n", 65+R[r_].who, R[r_].e, R[r_].kind);
  G[R[r_].w].e=R[r_].e; G[R[r_].w].p=R[r_].who; G[R[r_].w].floor=R[r_].floor; G[R[r_].w].d0=R[r_].d0; G[R[r_].w].d1=R[r_].d1;
  G[R[r_].w].paired=(R[r_].kind==PAIRED || R[r_].kind==INSTALL_PAIRED);
#ifdef DISKS
  G[R[r_].w].s0=R[r_].s0; G[R[r_].w].s1=R[r_].s1;
#endif
#ifdef ADOPTION
  G[R[r_].w].there=1;
#endif
#ifdef REBOOT
  G[0].v++;
#endif
  if :: R[r_].live -> N[R[r_].who].won=1 :: else fi;
#ifdef NO_R4_VERSION
  if :: R[1-(r_)].used && R[1-(r_)].kind!=CLAIM -> clear(1-(r_)) :: else fi;
#else
#ifndef REBOOT
  if :: R[1-(r_)].used && R[1-(r_)].w==R[r_].w -> clear(1-(r_)) :: else fi;
#endif
#endif
  clear(r_);
  status(0); status(1) }

proctype witness() {
  do
#ifdef REBOOT
  :: d_step { R[0].used -> if :: !cautious && R[0].v==G[0].v && R[0].e>=G[0].e -> grant(0) :: else -> clear(0) fi }
  :: d_step { R[1].used -> if :: !cautious && R[1].v==G[0].v && R[1].e>=G[0].e -> grant(1) :: else -> clear(1) fi }
  :: d_step { !kept -> kept=1; copy(F, G[0]) }
  :: d_step { kept && !rebooted && F.v!=G[0].v -> printf("   the witness's machine reboots, and has an older record\n");
       rebooted=1; copy(G[0], F);
#ifndef NO_R12_START
       clear(0); clear(1);
#endif
#ifndef NO_R12_CAUTION
       cautious=1
#endif
     }
#else
  :: d_step { REACHED && R[0].used && R[0].e>=G[R[0].w].e -> grant(0) }
  :: d_step { REACHED && R[1].used && R[1].e>=G[R[1].w].e -> grant(1) }
#endif
#ifdef LIVENESS
  :: d_step { WELL -> printf("   the witness is gone for good\n"); gone=3 }
#endif
  od }

proctype node(bit n) {
  do
  /* ---- crash and start ---- */
  :: atomic { ME.st!=DOWN && crashes<MAXCRASH &&
#ifdef LIVENESS
       gone==0 ->
#else
       1 ->
#endif
        d_step { SAY("%c crashes\n") crashes++; resign(n); ME.st=DOWN; ME.ep=ME.dep; life[n]=crashes;
#ifdef NO_R7_BACK
         ME.ep=1; ME.dep=1; ME.cl=1;
#endif
#ifdef NO_R4_NUMBER
         ME.cl=ME.dep;
#endif
#ifdef DISKS
         PEER.heard=0
#endif
       };
#ifdef NO_R6_SYNC
       if :: ME.ln>ME.real -> d_step { SAY("%c's power is cut\n") cutlog(n, ME.real); ME.com=MIN(ME.com,ME.ln) } :: skip fi
#else
       if :: ME.ln>ME.syn -> d_step { SAY("%c's power is cut\n") cutlog(n, ME.syn); ME.com=MIN(ME.com,ME.ln) } :: skip fi
#endif
     }
#ifdef DISKS
  :: d_step { ME.st==DOWN && !blank[n] -> SAY("%c starts\n") ME.st=IDLE; ME.syn=ME.ln; ME.starts++ }
#else
  :: d_step { ME.st==DOWN && HERE(n) -> SAY("%c starts\n") ME.st=IDLE; ME.syn=ME.ln;
#ifdef NO_R6_CLAIM
       if :: NAMED -> ME.st=PRIMARY; ME.need=REG.paired; ME.srv=1; holdsall(n); onlyone(n) :: else fi
#endif
#ifdef NO_R5_WON
       if :: REG.p==n && REG.e>=ME.ep && ME.ln<MAXLOG -> lead(n, REG.e) :: else fi
#endif
     }
#endif

#ifdef LIVENESS
  :: d_step { WELL && ME.st!=DOWN -> SAY("%c is gone for good\n") gone=n+1; resign(n); ME.st=DOWN; ME.ep=ME.dep }
  :: d_step { gone==0 && breaks<MAXBREAK && ME.ses!=0 -> SAY("%c takes the other for lost, wrongly\n") breaks++;
       if :: ME.st==PRIMARY -> sessionlost(n) :: else -> ME.st=IDLE; ME.ses=0 fi }
#endif

  /* ---- disk ---- */
  :: d_step { ME.st!=DOWN && ME.syn<ME.ln -> SAY("%c syncs its log\n") ME.syn=ME.ln;
#ifdef NO_R6_SYNC
       ME.real=ME.ln;
#endif
#ifdef NO_R10_APPLY
       if :: ME.st==FOLLOW -> ME.com=ME.syn :: else fi;
#endif
       commit(n) }
  :: d_step { (ME.st==PRIMARY || ME.st==IDLE) && ME.dep!=ME.ep -> SAY("%c has its epoch on disk\n") ME.dep=ME.ep; commit(n) }

  /* ---- write ---- */
  :: d_step { ME.st==PRIMARY && ME.srv && ME.hand==0 && (!ME.need || ME.ses!=0) && ME.ln<MAXLOG && ME.com==ME.ln && nid<=MAXENTRIES ->
       SAY("%c appends a client's entry\n") ME.e[ME.ln] = (ME.ep<<3) | nid; ME.ln++; nid++ }
  :: d_step { ME.st==PRIMARY && ME.fol && ME.nx<ME.ln && FREE(O) ->
       SAY("%c ships an entry\n") put(O, APPEND, ME.ep, ME.ses, ME.nx, ME.e[ME.nx], ME.com); ME.nx++ }
  :: d_step { ME.st==PRIMARY && ME.fol && ME.nx==ME.ln && FREE(O) && !HAS(O,APPEND) && PEER.st==FOLLOW && PEER.com<ME.com && PEER.syn>PEER.com ->
       SAY("%c beats\n") put(O, APPEND, ME.ep, ME.ses, 0, 0, ME.com) }
  :: d_step { FOLLOWS && FREE(O) && !HAS(O,ACK) && PEER.ses==ME.ses && ME.ses!=0 && (!PEER.fol || PEER.ack<ME.syn) ->
       SAY("%c acknowledges\n") put(O, ACK, ME.ep, ME.ses, ME.syn, 0, 0) }

  /* ---- messages ---- */
#if SLOTS>1
  :: atomic { if :: M[n*SLOTS].k!=0 -> j=n*SLOTS :: M[n*SLOTS+1].k!=0 -> j=n*SLOTS+1 fi;
       d_step { take(j); j=0;
#else
  :: d_step { M[n].k!=0 &&
#ifdef LIVENESS
       (M[n].k!=JOIN || ME.st!=PRIMARY || FREE(O)) -> {
#else
       1 -> {
#endif
         take(n);
#endif
         printf("%c receives %d of epoch %d, session %d, x %d\n", 65+n, k, e, s, x);
         if
#ifndef NO_R8_FENCE
         :: ME.st==PRIMARY && e>ME.ep -> fence(n, e)
#endif
         :: k==JOIN && ME.st==PRIMARY && e==ME.ep && ME.srv && (s>ME.ses || (s>>3)!=(ME.ses>>3)) && FREE(O) ->
              incommon(n);
#ifdef DISKS
              if
#ifndef NO_R11_ACKED
              :: ME.hadd==d && ME.had>0 && (c<ME.had || v<ME.had) -> put(O, REFUSE, ME.ep, s, 0, 0, 0)
#endif
#ifndef NO_R11_STARTS
              :: d==((n==0) -> REG.d1 : REG.d0) && u<((n==0) -> REG.s1 : REG.s0) -> put(O, REFUSE, ME.ep, s, 0, 0, 0)
#endif
              :: else ->
#endif
              sessionlost(n); ME.ses=s; ME.nx=c; ME.lev=ME.com; ME.sd=0;
#if defined(DISKS) || defined(ADOPTION)
              ME.sd=d; ME.sw=w;
#endif
#ifdef DISKS
              ME.ss=u;
#endif
              ME.cat = (!ME.need && !(LACKS) && ME.ln-c>NEARLY);
              if :: !ME.cat -> require(n) :: else fi;
              put(O, ACCEPT, ME.ep, s, c, 0, 0)
#ifdef DISKS
              fi
#endif
         :: k==ACCEPT && ME.st==JOINING && INSESSION ->
              i=0; do :: i<x -> assert(PEER.st!=PRIMARY || PEER.ep!=e || PEER.e[i]==ME.e[i] /* MATCH */); i++ :: else -> break od; i=0;
              if
#ifndef NO_R10_STOP
              :: x<ME.com && (AFTERFORCE
#ifdef DISKS
                   || putback[n] || putback[1-n]
#endif
                   ) ->   /* it stops, and is reseeded */
                   SAY("%c halts: what was answered would be cut\n") resign(n); ME.st=DOWN; cutlog(n, 0); ME.com=0; ME.did++;
#ifdef DISKS
                   blank[n]=1
#endif
#endif
              :: else ->
                   assert(x>=ME.com /* UNDO */); cutlog(n, x); ME.st=FOLLOW;
#ifdef DISKS
                   alone[n]=0;
#endif
#ifdef FORCE
                   if :: PEER.st==PRIMARY && PEER.ses==ME.ses && forced -> forced=0; names(O, PEER.com); acked=m; m=0; endreads(0); endreads(1) :: else fi
#endif
              fi
#ifdef DISKS
         :: k==REFUSE && ME.st==JOINING && INSESSION -> ME.st=IDLE; ME.ses=0; alone[n]=0; NEWDISK(n)
#endif
         :: k==APPEND && FOLLOWS && INSESSION ->
              if :: y!=0 && x==ME.ln && ROOM -> ME.e[x]=y; ME.ln++ :: else fi;
              z=MIN(z,ME.syn); if :: z>ME.com -> ME.com=z :: else fi
         :: k==ACK && ME.st==PRIMARY && ME.ses!=0 && INSESSION && x<=ME.ln ->
              ME.fol=1; ME.ack=MAX(ME.ack,x);
              if :: ME.cat && ME.ln-ME.ack<=NEARLY -> require(n) :: else fi;
#ifdef DISKS
              ME.had=ME.ack; ME.hadd=ME.sd;
#endif
              commit(n)
         :: k==ROUND && CONFIRMS && ITSROUND && FREE(O) -> put(O, CONFIRM, e, s, x, 0, 0)
         :: k==CONFIRM && ME.st==PRIMARY && INSESSION && THISROUND ->
#ifdef NO_R9_ROUND
              ME.conf=ME.want; ME.sent=ME.want;
#else
              ME.conf=x;
#endif
              answer(n)
         :: k==HANDOVER && ME.st==FOLLOW && INSESSION && ME.syn>=x -> ME.st=IDLE; ME.ses=0
#ifdef PUTBACK
         :: k==FETCH && (ME.st==IDLE || ME.st==JOINING || ME.st==FOLLOW) && FREE(O) ->
              incommon(n); if :: c<ME.ln -> put(O, LENT, ME.ep, 0, c, ME.e[c], 0) :: else fi
         :: k==LENT && ME.st==FETCHING ->
              ME.st=IDLE; ME.heard=0;
              if :: x==ME.ln && ME.ln<MAXLOG -> ME.e[ME.ln]=y; ME.ln++ :: else fi
#endif
#ifdef ADOPTION
         :: k==ADOPT && ME.st==FOLLOW && INSESSION && FREE(O) ->
              if :: ME.wit==0 -> ME.wit=1; forget(n) :: else fi;
              put(O, ADOPTED, ME.ep, ME.ses, 1, 0, 0)
         :: k==ADOPTED && ME.st==PRIMARY && ME.ses!=0 && INSESSION ->
              ME.sw=1; if :: ME.adopts -> ME.set=0; if :: ME.wit==0 -> ME.wit=1; forget(n) :: else fi :: else fi
#endif
         :: else
         fi; k=0; e=0; s=0; x=0; y=0; z=0; d=0; v=0; u=0; w=0; c=0 } }

  /* ---- hello ---- */
#ifndef NO_R8_FENCE
  :: d_step { ME.st==PRIMARY && PEER.st!=DOWN && PEER.dep>ME.ep -> SAY("%c hears a newer epoch\n") m=PEER.dep; fence(n, m); m=0 }
#endif
  :: d_step { ME.st==IDLE && PEER.st==PRIMARY && PEER.srv && SAVED(O) && PEER.ep>=ME.ep && OWNLOG && joins<MAXJOIN && FREE(O) ->
       SAY("%c joins\n") ME.ep=PEER.ep;
       ME.dep=ME.ep;
       ME.st=JOINING; joins++;
#ifdef LIVENESS
       assert(joins<MAXJOIN);
#endif
        ME.ses=(life[n]<<3) | joins;
       table(n); put(O, JOIN, ME.ep, ME.ses, ME.ln, y, 0); y=0;
#if defined(DISKS) || defined(ADOPTION)
       j=(M[O*SLOTS+SLOTS-1].k==JOIN -> O*SLOTS+SLOTS-1 : O*SLOTS);
       M[j].d=ME.did; M[j].v=ME.syn; M[j].w=ME.wit; j=0;
#endif
#ifdef DISKS
       j=(M[O*SLOTS+SLOTS-1].k==JOIN -> O*SLOTS+SLOTS-1 : O*SLOTS); M[j].u=ME.starts; j=0; ME.heard=0
#endif
     }
#ifdef PUTBACK
  :: d_step { ME.st==IDLE && (PEER.st==IDLE || PEER.st==CLAIM || PEER.st==FETCHING) && ME.heard==0 ->
       SAY("%c hears how far the other is\n") c=POSITION(O,PEER.syn); m=POSITION(n,ME.syn); ME.heard=(c>m -> 2 : 1); c=0; m=0 }
  :: d_step { ME.st==IDLE && ME.heard==2 && REG.p==n && FREE(O) ->
       SAY("%c asks for the entries it lacks\n") table(n); put(O, FETCH, ME.ep, 0, ME.ln, y, 0); y=0; ME.st=FETCHING }
#endif

  /* ---- the link breaks, or is silent for so long that it counts as broken ---- */
  :: d_step { ME.st==PRIMARY && ME.ses!=0 && STANDBYLOST -> SAY("%c takes its standby for lost\n") sessionlost(n)
#ifdef ADOPTION
       ; if :: ME.wit==0 -> ME.adopts=0 :: else fi
#endif
     }
  :: d_step { (ME.st==JOINING || ME.st==FOLLOW || ME.st==FETCHING) && PRIMARYLOST -> SAY("%c takes the other for lost\n") ME.st=IDLE; ME.ses=0 }

  /* ---- the register ---- */
#ifndef NO_R2_FENCE
  :: d_step { ME.st==PRIMARY && REACHED && THERE && (REG.e>ME.ep || (REG.p!=n && !ME.forced)) -> SAY("%c reads that it is outranked\n") m=MAX(REG.e,ME.ep); fence(n, m); m=0 }
#endif
#ifdef NO_R1
  :: d_step { ME.st==PRIMARY && ME.need && ME.ses==0 -> SAY("%c goes on alone\n") ME.need=0; commit(n) }
#endif
#ifdef NO_R2_WIN
  :: d_step { ME.st==PRIMARY && NAMED && !REG.paired && ME.need && ME.ses==0 -> SAY("%c reads solo\n") ME.need=0; commit(n); ME.conf=ME.want; ME.sent=ME.want; answer(n) }
#endif
  :: d_step { ME.st==PRIMARY && CANASK && SAVED(n) && ((NAMED && ME.need) || LACKS) && ME.ses==0 -> SAY("%c asks for solo\n") request(n, SOLO, ME.ep) }
  :: d_step { ME.st==PRIMARY && CANASK && SAVED(n) && (NAMED || LACKS) && ME.ses!=0 && !ME.set && !ME.cat && LEVEL && SAMEWITNESS ->
#ifdef NO_R3_WIN
       if :: REG.paired && ((n==0) -> REG.d1 : REG.d0)==ME.sd -> SAY("%c reads paired\n") ME.set=1; ME.lev=0
          :: else -> request(n, PAIRED, ME.ep) fi
#else
       SAY("%c asks for paired\n") request(n, PAIRED, ME.ep)
#endif
     }
#ifdef DISKS
  /* R11: once a minute the floor is raised */
  :: d_step { ME.st==PRIMARY && CANASK && NAMED && ME.set && ME.com>0 && REG.floor<((ME.e[ME.com-1] & 248) | ME.com) ->
       SAY("%c raises the floor\n") request(n, PAIRED, ME.ep) }
#endif
  /* R4, R6: it stops (CLAIM is no FOLLOW), has the number on disk, and asks */
  :: d_step { (ME.st==FOLLOW || ME.st==IDLE) && CANASK && ME.dep==ME.ep && ME.ln<MAXLOG && FLOORED && MYDISK && NOTPUTBACK && ASKED &&
       ((REG.p==n && REG.e>=ME.ep) || (REG.p!=n && MAYCLAIM)) &&
#ifdef LIVENESS
       (SUSPECTS || (gone==0 && breaks<MAXBREAK)) -> if :: SUSPECTS -> skip :: else -> breaks++ fi;
       assert(ME.ln<MAXLOG-1);
#else
       1 ->
#endif
       e=MAX(ME.ep,ME.cl); e=MAX(e,REG.e); c=LASTEPOCH(n); e=MAX(e,c); c=0; e=OWN(n,e);
       if :: e<=MAXEPOCH -> SAY("%c claims\n") ME.st=CLAIM; ME.cl=e; request(n, CLAIM, e);
#ifndef NO_R4_STOP
            ME.ses=0
#endif
          :: else fi; e=0 }
  :: d_step { ME.ask!=0 && ME.won -> SAY("%c learns that it has won\n") k=ME.ask; b=ME.stale;
#ifdef REBOOT
       K[n].v++; K[n].e=(k==CLAIM -> ME.cl : ME.ep); K[n].p=n; K[n].paired=(k==PAIRED);
#endif
       ME.ask=0; ME.won=0; ME.stale=0;
#ifdef NO_R2_JOIN
       b=0;
#endif
       if :: k==CLAIM && ME.st==CLAIM -> ME.ses=0; lead(n, ME.cl)
          :: k==SOLO && ME.st==PRIMARY && !b &&
#ifdef NO_R2_JOIN
             1
#else
             ME.ses==0
#endif
             -> ME.need=0; onlyone(n); commit(n); ME.conf=ME.want; ME.sent=ME.want; answer(n)
          :: k==PAIRED && ME.st==PRIMARY && ME.ses!=0 && !b -> ME.set=1; ME.lev=0; ME.need=1; ME.forced=0; status(n)
#ifdef ADOPTION
          :: (k==INSTALL || k==INSTALL_PAIRED) && ME.st==PRIMARY -> ME.adopts=0
#endif
          :: else fi; k=0; b=0 }
  :: d_step { ME.ask!=0 && UNANSWERED -> SAY("%c has lost, or waits no longer for an answer\n") forget(n); if :: ME.st==CLAIM -> ME.st=IDLE; ME.ses=0 :: else fi }

#ifdef REBOOT
#ifdef NO_R12_VERSION
  :: d_step { ME.st!=DOWN && ME.ask==0 && !cautious && G[0].v!=K[n].v ->
#else
  :: d_step { ME.st!=DOWN && ME.ask==0 && !cautious && G[0].v>K[n].v ->
#endif
       SAY("%c reads the register\n") copy(K[n], G[0]); if :: ME.st==PRIMARY && !G[0].paired -> ME.set=0 :: else fi }
  /* R12: after a reboot both nodes testify, or one that leads alone or with its standby's consent */
  :: d_step { ME.st!=DOWN && ME.ask==0 && cautious && (!testified[n] || (ME.st==PRIMARY && (!ME.need || CONSENTED))) ->
       SAY("%c testifies\n") testified[n]=1;
       if :: testified[1-n] || (ME.st==PRIMARY && (!ME.need || CONSENTED)) ->
            m=MAX(G[0].v,K[n].v); if :: testified[1-n] -> m=MAX(m,K[1-n].v) :: else fi;
            if :: NEWER(K[n]) -> copy(G[0], K[n]) :: else fi;
            if :: testified[1-n] && NEWER(K[1-n]) -> copy(G[0], K[1-n]) :: else fi;
            G[0].v=m+1; m=0; cautious=0; testified[0]=0; testified[1]=0
       :: else fi }
  :: d_step { ME.st==PRIMARY && ME.need && ME.ses!=0 && cautious && consent[n]==0 && ME.want<7 ->
       SAY("%c asks its standby to confirm that it leads\n") consent[n]=MAX(ME.sent,ME.conf)+1; ME.want=MAX(ME.want,consent[n]) }
#endif

  /* ---- planned switchover ---- */
  :: d_step { ME.st==PRIMARY && ME.srv && ME.set && ME.hand==0 && switches<SWITCHES -> SAY("%c is to hand over\n") switches++; ME.hand=1 }
  :: d_step { ME.st==PRIMARY && ME.hand==1 && ME.set && FREE(O) && ((ME.com==ME.ln && ME.ack==ME.ln) || ME.syn<ME.ln) ->
       SAY("%c asks its standby to claim\n") ME.hand=2; put(O, HANDOVER, ME.ep, ME.ses, ME.ack, 0, 0) }

  /* ---- reads: one that must show nothing can't be stale ---- */
  :: d_step { ME.st==PRIMARY && ME.srv && ME.hand==0 && reads<MAXREAD && (acked!=0 || READS>1) && (!D[0].on || !D[READS-1].on) ->
       SAY("%c is asked to read\n") reads++;
       if :: !NEEDSROUND -> names(n, ME.com); assert(!CLAIMED || (acked & ~m)==0 /* STALE */); m=0
          :: else -> i=(D[0].on -> READS-1 : 0); D[i].on=1; D[i].who=n; D[i].need=acked; D[i].round=MAX(ME.sent,ME.conf)+1; ME.want=MAX(ME.want,D[i].round); i=0 fi }
  :: d_step { ME.st==PRIMARY && ME.fol && ME.sent==ME.conf && ME.want>ME.conf && FREE(O) ->
       SAY("%c begins a round\n") ME.sent=ME.conf+1; put(O, ROUND, ME.ep, ME.ses, ME.sent, 0, 0) }

#ifdef WIPE
  :: d_step { ME.st==DOWN && !events && !blank[n] -> names(O, PEER.syn); b=((acked & ~m)==0); m=0;
       if :: b -> SAY("%c's disk is wiped\n") events=1; blank[n]=1; cutlog(n, 0); ME.com=0; NEWDISK(n); ME.dep=0; ME.ep=0; ME.cl=0; ME.starts=0 :: else fi; b=0 }
#endif
#ifdef DISKS
  /* reseeded: it learns from the leader where its epochs begin */
  :: d_step { ME.st==DOWN && blank[n] && PEER.st==PRIMARY && PEER.srv -> SAY("%c starts, to be reseeded\n") blank[n]=0; ME.st=IDLE; ME.starts++;
       ME.dep=MAX(ME.dep,PEER.ep); ME.ep=ME.dep; ME.cl=MAX(ME.cl,PEER.ep) }
#endif
#ifdef PUTBACK
  :: d_step { !C.taken && ME.st!=DOWN && ME.syn==ME.ln && ME.dep==ME.ep -> SAY("%c's disk is copied\n") C.taken=1; C.whose=n; C.ln=ME.syn; C.com=ME.com; C.dep=ME.dep; C.cl=ME.cl; C.did=ME.did; C.starts=ME.starts;
       i=0; do :: i<ME.ln -> C.e[i]=ME.e[i]; i++ :: else -> break od; i=0 }
  :: d_step { C.taken && C.whose==n && ME.st==DOWN && !events -> names(O, PEER.syn); b=(REG.paired && (acked & ~m)==0); m=0;
       if :: b -> SAY("%c's disk is put back\n") events=1; putback[n]=1; alone[n]=1; cutlog(n, 0); ME.ln=C.ln; ME.syn=C.ln; ME.com=C.com; ME.dep=C.dep; ME.ep=C.dep; ME.cl=C.cl; ME.did=C.did; ME.starts=C.starts;
            i=0; do :: i<ME.ln -> ME.e[i]=C.e[i]; i++ :: else -> break od; i=0 :: else fi; b=0 }
#endif
#ifndef NO_R11_STARTS
  /* R11: the register remembers more starts, or a claim that this disk does not */
  :: d_step { (ME.st==IDLE || ME.st==FOLLOW || ME.st==JOINING) && REACHED && (!NOTPUTBACK || (REG.p==n && REG.e>ME.cl && REG.e>ME.ep)) && MYDISK ->
       SAY("%c learns that its disk was put back\n") NEWDISK(n); ME.st=IDLE; ME.ses=0 }
#endif
#ifdef FORCE
  /* a person: the other is off */
  :: d_step { PEER.st==DOWN && !everforced && ME.ln<MAXLOG && (ME.st==IDLE || ME.st==CLAIM || (ME.st==PRIMARY && ME.need && ME.ses==0)) ->
       e=MAX(ME.ep,ME.cl); c=LASTEPOCH(n); e=MAX(e,c); c=0; e=OWN(n,e);
       if :: e<=MAXEPOCH -> SAY("%c is forced to lead\n") forced=1; everforced=1; resign(n); lead(n, e); ME.forced=1 :: else fi; e=0 }
#endif
#ifdef ADOPTION
  :: d_step { ME.st==PRIMARY && ME.srv && ME.hand==0 && !adoptions && ME.wit==0 && (!ME.need || ME.fol) ->
       SAY("%c is to adopt another witness\n") adoptions=1; ME.adopts=1;
       if ::
#ifdef NO_R12_CONSENT
            1
#else
            !ME.need
#endif
            -> ME.wit=1; forget(n) :: else fi }
  :: d_step { ME.st==PRIMARY && ME.fol && (ME.adopts || ME.wit==1) && ME.sw==0 && FREE(O) && !HAS(O,ADOPT) && PEER.ses==ME.ses ->
       SAY("%c asks its standby for consent\n") put(O, ADOPT, ME.ep, ME.ses, 1, 0, 0) }
  :: d_step { ME.st==PRIMARY && ME.adopts && ME.wit==1 && ME.ask==0 && !G[1].there -> SAY("%c installs the register\n") k=(ME.need -> INSTALL_PAIRED : INSTALL); request(n, k, ME.ep); k=0 }
#endif
  od }

init { d_step {
    N[0].st=PRIMARY; N[0].ep=1; N[0].dep=1; N[0].cl=1; N[0].need=1; N[0].srv=1; N[0].ses=1; N[0].fol=1; N[0].set=1;
    N[1].st=FOLLOW; N[1].ep=1; N[1].dep=1; N[1].cl=1; N[1].ses=1; joins=1;
    G[0].e=1; G[0].p=0; G[0].paired=1;
#ifdef REBOOT
    G[0].v=1; copy(K[0], G[0]); copy(K[1], G[0]);
#endif
#ifdef OLDCOPY          /* B's disk was copied two starts ago */
    N[0].starts=2; N[1].starts=2; G[0].s0=2; G[0].s1=2; N[0].ss=2; C.taken=1; C.whose=1; C.dep=1; C.cl=1;
#endif
#ifdef ADOPTION
    G[0].there=1;
#endif
    skip };
  atomic { run witness(); run node(0); run node(1) } }
