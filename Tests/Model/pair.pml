/* draft */
#ifndef MAXLOG
#define MAXLOG 3        /* entries in a log, epoch marks among them; at most 4 */
#endif
#ifndef MAXENTRIES
#define MAXENTRIES 2    /* client entries, at most 7 */
#endif
#ifndef MAXEPOCH
#define MAXEPOCH 4
#endif
#ifndef MAXCRASH
#define MAXCRASH 1
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

/* A node's role, and its phase while it doesn't lead (Role.swift) */
#define DOWN     0
#define IDLE     1
#define ADOPTING 2
#define JOINING  3
#define FOLLOW   4
#define CLAIM    5
#define PRIMARY  6

/* What is asked of the witness */
#define SOLO   1
#define PAIRED 2
/* CLAIM is 5 */

/* Messages */
#define JOIN    1       /* x: end of the log, y z: the epochs of its entries */
#define ACCEPT  2       /* x: the last common entry */
#define APPEND  3       /* x: entries before it, y: the entry, 0: a heartbeat, z: committed */
#define ACK     4       /* x: synced */
#define ROUND   5       /* x: number */
#define CONFIRM 6       /* x: number */
#define HANDOVER 7      /* x: drained up to here */

typedef Node {
  unsigned st : 3;
  unsigned ep : 4; unsigned dep : 4;    /* epoch, and the one on disk */
  unsigned cl : 4;                      /* highest number claimed, on disk */
  unsigned ln : 3; unsigned syn : 3; unsigned com : 3;
  unsigned ses : 6;                     /* session, 0: none */
  unsigned ack : 3; unsigned lev : 3; unsigned nx : 3;
  bit need; bit srv; bit fol; bit set; bit cat;
  unsigned hand : 2;
  unsigned ask : 3; bit stale; bit won;
  unsigned sent : 3; unsigned conf : 3; unsigned want : 3;
  byte e[MAXLOG]
}
Node N[2];

typedef Msg { unsigned k : 4; unsigned e : 4; unsigned s : 6; unsigned x : 3; byte y; byte z }
Msg M[2*SLOTS];

typedef Request { bit used; bit live; bit who; unsigned kind : 3; unsigned e : 4; byte floor; unsigned d0 : 2; unsigned d1 : 2 }
Request R[2];

/* the register */
unsigned we : 4 = 1; bit wp = 0; bit wpaired = 1; byte floor = 0; 

unsigned crashes : 3; unsigned joins : 3; unsigned reads : 3; unsigned switches : 2; unsigned nid : 3 = 1;
byte acked;
typedef Read { bit on; bit who; unsigned rnd : 3; byte need }
Read D[READS];

/* scratch: 0 again after each step */
#ifdef SHORTEST         /* Spin's breadth-first search knows no hidden variables */
#define SCRATCH byte
#else
#define SCRATCH hidden byte
#endif
SCRATCH c, i, j, m, b; SCRATCH k, e, s, x, y, z;

#define SAY(text_) printf(text_, 65+n);
#define HEARS(k_,x_) printf("%c receives %d, x %d\n", 65+n, k_, x_)
#define ME N[n]
#define O  (1-n)
#define PEER N[1-n]
#define FREE(to) (M[(to)*SLOTS].k==0 || M[(to)*SLOTS+SLOTS-1].k==0)
#define HAS(to,kk) (M[(to)*SLOTS].k==kk || M[(to)*SLOTS+SLOTS-1].k==kk)
#define EPOCH(b_) ((b_)>>3)
#define LASTEPOCH(n_) (N[n_].ln==0 -> 0 : EPOCH(N[n_].e[N[n_].ln-1]))
#define POS(n_,l_) ((l_)==0 -> 0 : ((N[n_].e[(l_)-1] & 248) | (l_)))
#define MIN(a_,b_) (a_<b_ -> a_ : b_)
#define MAX(a_,b_) (a_>b_ -> a_ : b_)
#define OWN(n_,f_) ((((f_)+1)&1)==(1-(n_)) -> (f_)+1 : (f_)+2)

inline mask(n_, upto_) { m=0; i=0;
  do :: i<upto_ -> m = m | (1<<(N[n_].e[i]&7)); i++ :: else -> break od; i=0; m = m & 254 }

inline put(to_, k_, e_, s_, x_, y_, z_) {
  j = (to_)*SLOTS; if :: M[j].k!=0 -> j = j+SLOTS-1 :: else fi;
  M[j].k=k_; M[j].e=e_; M[j].s=s_; M[j].x=x_; M[j].y=y_; M[j].z=z_; j=0 }

inline endreads(n_) { i=0;
  do :: i<READS -> if :: D[i].on && D[i].who==n_ -> D[i].on=0; D[i].who=0; D[i].rnd=0; D[i].need=0 :: else fi; i++ :: else -> break od; i=0 }
inline answer(n_) { mask(n_, N[n_].com); i=0;
  do :: i<READS ->
       if :: D[i].on && D[i].who==n_ && D[i].rnd<=N[n_].conf ->
            assert((D[i].need & ~m)==0 /* STALE */); D[i].on=0; D[i].who=0; D[i].rnd=0; D[i].need=0
       :: else fi; i++
  :: else -> break od; i=0; m=0 }

inline have(n_) { mask(n_, N[n_].ln); assert((acked & ~m)==0 /* LOST */); m=0 }

inline commit(n_) {
  if :: N[n_].st==PRIMARY && N[n_].dep==N[n_].ep ->
       c = (N[n_].need -> (N[n_].ses!=0 -> MIN(N[n_].syn,N[n_].ack) : 0) : N[n_].syn);
       if :: c>N[n_].com ->
            N[n_].com=c;
            assert(!(N[1-n_].st==PRIMARY && N[1-n_].ep==N[n_].ep) /* ONE */);
            if :: !N[n_].srv && EPOCH(N[n_].e[c-1])==N[n_].ep -> N[n_].srv=1; have(n_) :: else fi;
            if :: N[n_].srv -> mask(n_, c); acked = acked | m; m=0;
                 if :: N[1-n_].st==PRIMARY && N[1-n_].srv && N[1-n_].ep>N[n_].ep -> have(1-n_) :: else fi
            :: else fi
       :: else fi; c=0
  :: else fi }

inline sessionlost(n_) { N[n_].ses=0; N[n_].fol=0; N[n_].set=0; N[n_].cat=0; N[n_].hand=0; N[n_].ack=0; N[n_].lev=0; N[n_].nx=0;
  N[n_].sent=N[n_].conf; if :: N[n_].ask==PAIRED -> N[n_].stale=1 :: else fi }
inline unlive(n_) { N[n_].ask=0; N[n_].won=0; N[n_].stale=0;
  if :: R[0].used && R[0].who==n_ -> R[0].live=0 :: else fi; if :: R[1].used && R[1].who==n_ -> R[1].live=0 :: else fi }
inline resign(n_) { unlive(n_); sessionlost(n_); N[n_].need=0; N[n_].srv=0; N[n_].sent=0; N[n_].conf=0; N[n_].want=0; N[n_].stale=0; endreads(n_) }
inline fence(n_, e_) { resign(n_); N[n_].st=IDLE; N[n_].ep=e_ }
inline require(n_) { N[n_].cat=0; N[n_].lev=N[n_].com; N[n_].need=1; if :: N[n_].ask!=0 -> N[n_].stale=1 :: else fi }
inline lead(n_, e_) {
  N[n_].st=PRIMARY; N[n_].ep=e_; N[n_].cl=MAX(N[n_].cl,e_);
  N[n_].need=0; N[n_].srv=0;
  N[n_].e[N[n_].ln]=(e_)<<3; N[n_].ln++;
  assert(!(N[1-n_].st==PRIMARY && !N[1-n_].need) /* TWO */) }
inline request(n_, kind_, e_) {
  /* where two float, one of them never arrives */
  j = (R[0].used && (R[0].live || !R[1].used) -> 1 : 0);
  R[j].used=1; R[j].live=1; R[j].who=n_; R[j].kind=kind_; R[j].e=e_;
  R[j].floor=(kind_==CLAIM -> MAX(floor,POS(n_,N[n_].syn)) : MAX(floor,POS(n_,N[n_].com)));
  N[n_].ask=kind_; N[n_].stale=0; j=0 }
#define NAMED (we==ME.ep && wp==n)
#define CANASK (ME.ask==0)
inline clear(r_) { R[r_].used=0; R[r_].live=0; R[r_].who=0; R[r_].kind=0; R[r_].e=0; R[r_].floor=0 }
/* the register changes: whatever else was asked at the version before comes too late */
inline grant(r_) {
  we=R[r_].e; wp=R[r_].who; wpaired=(R[r_].kind==PAIRED); floor=R[r_].floor;
  if :: R[r_].live -> N[R[r_].who].won=1 :: else fi;
  printf("witness: %c has epoch %d, %d\n", 65+wp, we, R[r_].kind); clear(0); clear(1);
  status(0); status(1) }
inline status(n_) {
  if :: N[n_].st==PRIMARY && N[n_].set && N[n_].hand==0 && N[1-n_].st==FOLLOW && N[1-n_].ses==N[n_].ses ->
       assert(wpaired && we==N[n_].ep && wp==n_ /* STATUS */) :: else fi }

proctype witness() {
  do
  :: d_step { R[0].used -> grant(0) }
  :: d_step { R[1].used -> grant(1) }
  od }

inline take(r_) { k=M[r_].k; e=M[r_].e; s=M[r_].s; x=M[r_].x; y=M[r_].y; z=M[r_].z;
  M[r_].k=0; M[r_].e=0; M[r_].s=0; M[r_].x=0; M[r_].y=0; M[r_].z=0 }
#define INSESSION (e==ME.ep && s==ME.ses)
inline cutlog(n_, to_) { i=to_; do :: i<N[n_].ln -> N[n_].e[i]=0; i++ :: else -> break od; i=0;
  N[n_].ln=to_; N[n_].syn=MIN(N[n_].syn,to_) }

proctype node(bit n) {
  do
  /* crash: the process alone, or the machine */
  :: atomic { ME.st!=DOWN && crashes<MAXCRASH -> d_step { crashes++; SAY("%c crashes\n")  resign(n); ME.st=DOWN; ME.ep=ME.dep };
       if :: ME.ln>ME.syn -> d_step { cutlog(n, ME.syn) } :: true fi }
  :: d_step { ME.st==DOWN -> SAY("%c starts\n") ME.st=IDLE; ME.syn=ME.ln }

  /* disk */
  :: d_step { ME.st!=DOWN && ME.syn<ME.ln -> SAY("%c syncs\n") ME.syn=ME.ln; commit(n) }
  :: d_step { (ME.st==PRIMARY || ME.st==IDLE) && ME.dep!=ME.ep -> SAY("%c has saved its epoch\n") ME.dep=ME.ep; commit(n) }

  /* write */
  :: d_step { ME.st==PRIMARY && ME.srv && ME.hand==0 && (!ME.need || ME.ses!=0) && ME.ln<MAXLOG && ME.com==ME.ln && nid<=MAXENTRIES ->
       SAY("%c appends a client's entry\n") ME.e[ME.ln] = (ME.ep<<3) | nid; ME.ln++; nid++ }
  :: d_step { ME.st==PRIMARY && ME.fol && ME.nx<ME.ln && FREE(O) ->
       SAY("%c ships\n") put(O, APPEND, ME.ep, ME.ses, ME.nx, ME.e[ME.nx], ME.com); ME.nx++ }
  :: d_step { ME.st==PRIMARY && ME.fol && ME.nx==ME.ln && FREE(O) && !HAS(O,APPEND) && PEER.st==FOLLOW && PEER.com<ME.com && PEER.syn>PEER.com ->
       SAY("%c beats\n") put(O, APPEND, ME.ep, ME.ses, 0, 0, ME.com) }
  :: d_step { ME.st==FOLLOW && FREE(O) && !HAS(O,ACK) && PEER.ses==ME.ses && (!PEER.fol || PEER.ack<ME.syn) ->
       SAY("%c acknowledges\n") put(O, ACK, ME.ep, ME.ses, ME.syn, 0, 0) }

  /* messages */
  :: atomic { if :: M[n*SLOTS].k!=0 -> j=n*SLOTS
#if SLOTS>1
                 :: M[n*SLOTS+1].k!=0 -> j=n*SLOTS+1
#endif
              fi;
       d_step { take(j); j=0; HEARS(k,x);
         if
         :: ME.st==PRIMARY && e>ME.ep -> fence(n, e)
         :: k==JOIN && ME.st==PRIMARY && e==ME.ep && ME.srv && (s>ME.ses || (s>>3)!=(ME.ses>>3)) && FREE(O) ->
              c=0; do :: c<ME.ln && c<x && EPOCH(ME.e[c])==((c<2 -> y>>(4*c) : z>>(4*(c-2))) & 15) -> c++ :: else -> break od;
              sessionlost(n);
              ME.ses=s; ME.nx=c; ME.lev=ME.com;
              ME.cat = (!ME.need && ME.ln-c>NEARLY);
              if :: !ME.cat -> require(n) :: else fi;
              put(O, ACCEPT, ME.ep, s, c, 0, 0); c=0
         :: k==ACCEPT && ME.st==JOINING && INSESSION ->
              assert(x>=ME.com /* UNDO */);
              i=0; do :: i<x -> assert(PEER.st!=PRIMARY || PEER.ep!=e || PEER.e[i]==ME.e[i] /* MATCH */); i++ :: else -> break od; i=0;
              cutlog(n, x); ME.st=FOLLOW
         :: k==APPEND && ME.st==FOLLOW && INSESSION ->
              if :: y!=0 && x==ME.ln -> ME.e[x]=y; ME.ln++ :: else fi;
              z=MIN(z,ME.syn); if :: z>ME.com -> ME.com=z :: else fi
         :: k==ACK && ME.st==PRIMARY && INSESSION && x<=ME.ln ->
              ME.fol=1; ME.ack=MAX(ME.ack,x);
              if :: ME.cat && ME.ln-ME.ack<=NEARLY -> require(n) :: else fi;
              commit(n)
         :: k==ROUND && ME.st==FOLLOW && INSESSION && FREE(O) -> put(O, CONFIRM, e, s, x, 0, 0)
         :: k==CONFIRM && ME.st==PRIMARY && INSESSION && x==ME.sent && x>ME.conf -> ME.conf=x; answer(n)
         :: k==HANDOVER && ME.st==FOLLOW && INSESSION && ME.syn>=x -> ME.st=IDLE; ME.ses=0
         :: else
         fi; k=0; e=0; s=0; x=0; y=0; z=0 } }

  /* hello of the other node */
  :: d_step { ME.st==PRIMARY && PEER.st!=DOWN && PEER.dep>ME.ep -> SAY("%c hears a newer epoch\n") fence(n, PEER.dep) }
  :: d_step { ME.st==IDLE && PEER.st==PRIMARY && PEER.srv && PEER.dep==PEER.ep && PEER.ep>=ME.ep && joins<MAXJOIN && FREE(O) ->
       SAY("%c joins\n") ME.ep=PEER.ep; ME.dep=ME.ep; ME.st=JOINING; joins++; ME.ses=joins; /* life */
       y=(ME.ln>0 -> EPOCH(ME.e[0]) : 0) | (ME.ln>1 -> EPOCH(ME.e[1])<<4 : 0); z=(ME.ln>2 -> EPOCH(ME.e[2]) : 0);
#if MAXLOG>3
       z=z | (ME.ln>3 -> EPOCH(ME.e[3])<<4 : 0);
#endif
       put(O, JOIN, ME.ep, ME.ses, ME.ln, y, z); y=0; z=0 }
  /* the link breaks, or is silent for so long that it counts as broken */
  :: d_step { ME.st==PRIMARY && ME.ses!=0 -> SAY("%c takes its standby for lost\n") sessionlost(n) }
  :: d_step { (ME.st==JOINING || ME.st==FOLLOW) -> SAY("%c takes its primary for lost\n") ME.st=IDLE; ME.ses=0 }

  /* register */
  :: d_step { ME.st==PRIMARY && (we>ME.ep || wp!=n) -> SAY("%c reads that it is outranked\n") m=MAX(we,ME.ep); fence(n, m); m=0 }
  :: d_step { ME.st==PRIMARY && CANASK && NAMED && ME.need && ME.ses==0 -> SAY("%c asks for solo\n") request(n, SOLO, ME.ep) }
  :: d_step { ME.st==PRIMARY && CANASK && NAMED && ME.ses!=0 && !ME.set && !ME.cat && ME.ack>=ME.lev -> SAY("%c asks for paired\n") request(n, PAIRED, ME.ep) }
  :: d_step { (ME.st==FOLLOW || ME.st==IDLE) && CANASK && ME.dep==ME.ep && ME.ln<MAXLOG &&
       (floor==0 || (ME.syn>0 && floor<=((ME.e[ME.syn-1]&248)|ME.syn))) &&
       ((wp==n && we>=ME.ep) || (wp!=n && wpaired && we==ME.ep)) ->
       e=MAX(MAX(ME.ep,ME.cl),MAX(we,LASTEPOCH(n))); e=OWN(n,e);
       if :: e<=MAXEPOCH -> SAY("%c claims\n") ME.st=CLAIM; ME.ses=0; ME.cl=e; request(n, CLAIM, e) :: else fi; e=0 }
  :: d_step { ME.ask!=0 && ME.won -> SAY("%c learns that it has won\n") k=ME.ask; b=ME.stale; ME.ask=0; ME.won=0; ME.stale=0;
       if :: k==CLAIM && ME.st==CLAIM -> lead(n, ME.cl)
          :: k==SOLO && !b && ME.ses==0 -> ME.need=0; assert(!(PEER.st==PRIMARY && !PEER.need) /* TWO */); commit(n); ME.conf=ME.want; ME.sent=ME.want; answer(n)
          :: k==PAIRED && !b -> ME.set=1; ME.lev=0; status(n)
          :: else fi; k=0; b=0 }
  :: d_step { ME.ask!=0 -> SAY("%c has lost, or waits no longer\n") unlive(n); if :: ME.st==CLAIM -> ME.st=IDLE :: else fi }   /* lost, or no answer */

  /* planned switchover */
  :: d_step { ME.st==PRIMARY && ME.srv && ME.set && ME.hand==0 && switches<SWITCHES -> SAY("%c is to hand over\n") switches++; ME.hand=1 }
  :: d_step { ME.st==PRIMARY && ME.hand==1 && ME.set && FREE(O) && ((ME.com==ME.ln && ME.ack==ME.ln) || ME.syn<ME.ln) ->
       SAY("%c asks its standby to claim\n") ME.hand=2; put(O, HANDOVER, ME.ep, ME.ses, ME.ack, 0, 0) }

  /* reads */
  :: d_step { ME.st==PRIMARY && ME.srv && ME.hand==0 && reads<MAXREAD && (!D[0].on || !D[READS-1].on) ->
       SAY("%c is asked to read\n") reads++;
       if :: !ME.need -> mask(n, ME.com); assert((acked & ~m)==0 /* STALE */); m=0
          :: else -> i=(D[0].on -> READS-1 : 0); D[i].on=1; D[i].who=n; D[i].need=acked; D[i].rnd=MAX(ME.sent,ME.conf)+1; ME.want=MAX(ME.want,D[i].rnd); i=0 fi }
  :: d_step { ME.st==PRIMARY && ME.fol && ME.sent==ME.conf && ME.want>ME.conf && FREE(O) ->
       SAY("%c begins a round\n") ME.sent=ME.conf+1; put(O, ROUND, ME.ep, ME.ses, ME.sent, 0, 0) }
  od }

init { d_step {
    N[0].st=PRIMARY; N[0].ep=1; N[0].dep=1; N[0].cl=1; N[0].need=1; N[0].srv=1; N[0].ses=1; N[0].fol=1; N[0].set=1;
    N[1].st=FOLLOW; N[1].ep=1; N[1].dep=1; N[1].cl=1; N[1].ses=1; joins=1 };
  atomic { run witness(); run node(0); run node(1) } }
